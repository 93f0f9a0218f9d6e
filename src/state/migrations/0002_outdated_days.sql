-- A day that was judged and is to be judged again, because observations of it or of a day before were restated since.
ALTER TABLE explore.days ADD COLUMN is_outdated boolean NOT NULL DEFAULT false;
