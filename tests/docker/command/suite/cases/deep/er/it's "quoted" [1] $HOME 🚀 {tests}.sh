if [ "$SHOP" = "shop's" ] && [ -n "$SHAKEDOWN_LANE$SHAKEDOWN_RUN_ID" ]; then passed "$SHAKEDOWN_SEED"; else failed "x" "y"; fi
