sleep 4711 &
passed "is not waited for"
