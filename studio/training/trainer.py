"""TRL's SFTTrainer as a recipe asks for it: the same one for a run and for preflight's dry run.

It is given token ids and labels, so that what is trained is exactly what preflight saw. Imports
torch: only for child processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
import trl
from datasets import Dataset

from exports.frozen import StoredExample
from exports.rendering import Template
from studio.training.bases import Base
from studio.training.recipe import Recipe

ON_GPU = torch.cuda.is_available()


def make_trainer(
    base: Base,
    template: Template,
    recipe: Recipe,
    examples: Sequence[StoredExample],
    folder: Path,
    callbacks: list[Any],
) -> Any:
    """A trainer on the examples' train split, evaluated on their valid split where there is one."""
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    transformers.set_seed(recipe.seed)
    valid = [example for example in examples if example.split == "valid"]
    return trl.SFTTrainer(
        model=load_network(base),
        args=_arguments(recipe, folder, has_valid=bool(valid)),
        train_dataset=_tokenised(template, [e for e in examples if e.split == "train"]),
        eval_dataset=_tokenised(template, valid) if valid else None,
        processing_class=template.tokenizer,
        peft_config=_lora(recipe),
        callbacks=callbacks,
    )


def options(trainer: Any) -> dict[str, Any]:
    """The options that the trainer and peft really received, under their own names."""
    lora = trainer.model.peft_config["default"].to_dict()
    return {"arguments": trainer.args.to_dict(), "lora": lora}


def load_network(base: Base) -> Any:
    """The base's weights for training: bfloat16 on a GPU, float32 on the CPU."""
    network = transformers.AutoModelForCausalLM.from_pretrained(
        str(base.folder), dtype=torch.bfloat16 if ON_GPU else torch.float32
    )
    network.config.use_cache = False
    return network


def _lora(recipe: Recipe) -> Any:
    lora = recipe.lora
    return peft.LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        task_type="CAUSAL_LM",
    )


def _arguments(recipe: Recipe, folder: Path, *, has_valid: bool) -> Any:
    """The recipe in TRL's words; what TRL would decide for a GPU is off on the CPU."""
    return trl.SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup_steps,
        max_steps=recipe.steps or -1,
        num_train_epochs=recipe.epochs or 1.0,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        max_length=recipe.max_length,
        packing=False,
        train_sampling_strategy="group_by_length",  # rows of like length pad each other least
        seed=recipe.seed,
        bf16=ON_GPU,
        use_cpu=not ON_GPU,
        gradient_checkpointing=False,
        dataloader_pin_memory=ON_GPU,
        eval_strategy="steps" if has_valid else "no",
        eval_steps=recipe.evaluate_every,
        eval_on_start=has_valid,
        save_strategy="steps",
        save_steps=recipe.evaluate_every,
        logging_steps=max(1, min(10, recipe.evaluate_every // 5)),
        report_to="none",
        disable_tqdm=True,
    )


def _tokenised(template: Template, examples: list[StoredExample]) -> Dataset:
    """Token ids and labels; -100 where nothing is learned."""
    rows = []
    for example in examples:
        rendered = template.render(example.messages, example.tools)
        labels = [
            i if trained else -100
            for i, trained in zip(rendered.ids, rendered.trained, strict=True)
        ]
        rows.append({"input_ids": rendered.ids, "labels": labels})
    return Dataset.from_list(rows)
