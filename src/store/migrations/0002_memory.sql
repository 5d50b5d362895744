-- How much memory an environment took at most, in bytes, so that the next run knows how many fit.

ALTER TABLE environments ADD COLUMN memory_peak BIGINT;
