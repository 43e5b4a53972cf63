"""doctor says what works here, and a machine on which something does not work is no error."""

from __future__ import annotations

from pathlib import Path

from tests.studio.cli.conftest import Run


def test_doctor_answers_with_the_keys_of_the_contract(filled: Run) -> None:
    ran = filled("doctor")
    assert ran.code == 0
    value = ran.json
    assert {"store", "sandbox", "torch", "device", "optional"} <= set(value)
    assert value["store"] == {"location": "./studio.db", "ok": True, "interactions": 3}
    sandbox = value["sandbox"]
    assert sandbox["tier"] in ("A", "B", "C")
    assert all({"name", "held", "detail", "remedy"} <= set(probe) for probe in sandbox["probes"])
    assert isinstance(value["torch"], str)
    assert value["device"].split()[0].rstrip(":") in ("cpu", "cuda")
    assert value["optional"]["trl"]


def test_without_a_store_it_says_so_and_how_to_make_one(run: Run) -> None:
    ran = run("doctor")
    assert ran.code == 0
    assert ran.json["store"]["ok"] is False
    assert "studio import" in ran.json["store"]["problem"]


def test_a_file_that_is_no_store_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "studio.db").write_text("this is no database, whatever its name says " * 50)
    ran = run("doctor")
    assert ran.code == 0
    assert ran.json["store"]["ok"] is False
    assert "studio.db" in ran.json["store"]["problem"]


def test_a_person_reads_store_sandbox_and_device(filled: Run) -> None:
    text = filled("doctor", as_json=False).out
    assert "3 interactions" in text
    assert "sandbox  tier" in text
    assert "device   " in text
