-- The logs database of `llm`: a conversation in the old tables, threads in the message store.
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (
  id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, prompt_json TEXT, options_json TEXT,
  response TEXT, response_json TEXT, conversation_id TEXT, duration_ms INTEGER, datetime_utc TEXT,
  input_tokens INTEGER, output_tokens INTEGER, token_details TEXT, resolved_model TEXT
);
CREATE TABLE attachments (id TEXT PRIMARY KEY, type TEXT, path TEXT, url TEXT, content BLOB);
CREATE TABLE prompt_attachments (response_id TEXT, attachment_id TEXT, "order" INTEGER);
CREATE TABLE fragments (id INTEGER PRIMARY KEY, hash TEXT, content TEXT);
CREATE TABLE prompt_fragments (response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE tools (id INTEGER PRIMARY KEY, hash TEXT, name TEXT, description TEXT, input_schema TEXT);
CREATE TABLE tool_responses (tool_id INTEGER, response_id TEXT);
CREATE TABLE tool_calls (
  id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT, arguments TEXT, tool_call_id TEXT
);
CREATE TABLE tool_results (
  id INTEGER PRIMARY KEY, response_id TEXT, tool_id INTEGER, name TEXT, output TEXT, tool_call_id TEXT,
  exception TEXT
);
CREATE TABLE messages (hash TEXT PRIMARY KEY, parent_hash TEXT, role TEXT, provider_metadata TEXT);
CREATE TABLE parts (
  id INTEGER PRIMARY KEY, message_hash TEXT, position INTEGER, type TEXT, tool_name TEXT, text TEXT,
  payload TEXT
);
CREATE TABLE threads (id TEXT PRIMARY KEY, name TEXT, tip_message_hash TEXT, datetime_utc TEXT);
CREATE TABLE turns (
  id TEXT PRIMARY KEY, thread_id TEXT, parent_message_hash TEXT, tip_message_hash TEXT, model TEXT,
  resolved_model TEXT, input_tokens INTEGER, output_tokens INTEGER, duration_ms INTEGER,
  datetime_utc TEXT
);
CREATE TABLE turn_tools (turn_id TEXT, tool_id INTEGER);

INSERT INTO tools VALUES (1, 'h', 'upper', 'Upper-case', '{"type": "object"}');
INSERT INTO fragments VALUES (1, 'h', 'A long book.');

INSERT INTO responses VALUES
  ('r1', 'm', 'Shout panda', 'You are Tester. Be loud.', NULL, '{}', '', NULL, 'c1', 500,
   '2026-01-02T03:04:05+00:00', 20, 5, NULL, 'm-1'),
  ('r3', 'm', 'What is it about?', 'You are Tester. Be loud.', NULL, '{}', 'Bears.', NULL, 'c1', 200,
   '2026-01-02T03:04:09+00:00', 60, 3, NULL, 'm-1'),
  ('r2', 'm', NULL, NULL, NULL, '{}', 'PANDA', NULL, 'c1', 300,
   '2026-01-02T03:04:06+00:00', 40, 2, NULL, 'm-1'),
  ('r4', 'm', 'Alone', NULL, NULL, '{}', 'Yes', NULL, NULL, NULL,
   '2026-01-02T03:04:10', NULL, NULL, NULL, NULL);
INSERT INTO tool_responses VALUES (1, 'r1'), (1, 'r3');
INSERT INTO tool_calls VALUES (1, 'r1', 1, 'upper', '{"text": "panda"}', 'call_x');
INSERT INTO tool_calls VALUES (2, 'r1', 1, 'upper', '{', 'call_y');
INSERT INTO tool_results VALUES (1, 'r2', 1, 'upper', 'PANDA', 'call_x', NULL);
INSERT INTO tool_results VALUES (2, 'r2', 1, 'upper', '', 'call_y', 'ValueError: no text');
INSERT INTO prompt_fragments VALUES ('r3', 1, 0);
INSERT INTO prompt_attachments VALUES ('r3', 'a1', 0);

INSERT INTO messages VALUES
  ('m1', NULL, 'system', NULL), ('m2', 'm1', 'user', NULL), ('m3', 'm2', 'assistant', NULL),
  ('m4', 'm3', 'tool', NULL), ('m5', 'm4', 'assistant', NULL), ('m6', 'm2', 'assistant', NULL),
  ('m9', 'gone', 'user', NULL);
INSERT INTO parts VALUES
  (1, 'm1', 0, 'text', NULL, 'Be brief.', NULL),
  (2, 'm2', 0, 'text', NULL, NULL, '{"text_ref": [{"fragment": 1}, {"literal": "\nShout it."}]}'),
  (3, 'm2', 1, 'attachment', NULL, NULL, '{"attachment": {"id": "a1"}}'),
  (4, 'm3', 0, 'reasoning', NULL, 'Use the tool.', NULL),
  (5, 'm3', 1, 'tool_call', 'upper', NULL,
   '{"name": "upper", "arguments": {"text": "a long book."}, "tool_call_id": "k1"}'),
  (6, 'm4', 0, 'tool_result', 'upper', NULL,
   '{"name": "upper", "output": "A LONG BOOK.", "tool_call_id": "k1"}'),
  (7, 'm5', 0, 'text', NULL, 'A LONG BOOK.', NULL),
  (8, 'm6', 0, 'text', NULL, 'No.', NULL);
INSERT INTO threads VALUES ('t1', 'Shout', 'm5', '2026-01-02');
INSERT INTO turns VALUES
  ('u0', 't1', 'm2', 'm6', 'm', NULL, 10, 1, 50, '2026-01-02T03:05:04+00:00'),
  ('u1', 't1', 'm2', 'm3', 'm', NULL, 10, 4, 100, '2026-01-02T03:05:05+00:00'),
  ('u2', 't1', 'm4', 'm5', 'm', NULL, 30, 6, 200, '2026-01-02T03:05:06+00:00'),
  ('u3', NULL, NULL, 'm9', 'm', NULL, 1, 1, 1, '2026-01-02T03:05:07+00:00');
INSERT INTO turn_tools VALUES ('u2', 1);
