skipped "later" "not on Mondays"
