-- Records of a source, at least, counted without the parser that read them; NULL where they cannot be, or not all were read.
ALTER TABLE store.sources ADD COLUMN counted BIGINT;
