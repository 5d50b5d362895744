trap '' TERM INT HUP
sleep 4711 &
sleep 4711
