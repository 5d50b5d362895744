echo "about to compare"
passed "adds up"
failed "sends once" "expected 1, got 2"
