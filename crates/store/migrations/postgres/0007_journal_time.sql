-- Finding chunks by time and by kind without touching the chunks themselves, which are large.

DROP INDEX journal_by_kind;
CREATE INDEX journal_by_kind ON journal (kind, seq, last_ms, first_ms, octets, verdicts);

-- Nearly all chunks span less than a minute, so a window of time finds them by their ends. These few it looks at one by one.
CREATE INDEX journal_of_long_span ON journal (last_ms, first_ms, seq) WHERE last_ms - first_ms > 60000;
