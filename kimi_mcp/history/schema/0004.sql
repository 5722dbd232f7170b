-- Whose words the commands in a file are. A row holds for one content at one place, as direnv's do.

CREATE TABLE known_files (
    path   TEXT NOT NULL,  -- absolute, links resolved
    hash   TEXT NOT NULL,  -- SHA-256 of the bytes, in hexadecimal digits
    origin TEXT NOT NULL CHECK (origin IN (
        'written',         -- by plan_to_spec on this machine
        'trusted')),       -- by the user, with `kimi-mcp trust`
    at     TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.???Z'),
    PRIMARY KEY (path, hash)
) STRICT, WITHOUT ROWID;
