if [ "$SHAKEDOWN_ATTEMPT" = 1 ]; then failed "race" "too early"; else passed "race"; fi
