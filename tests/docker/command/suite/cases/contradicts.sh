passed "all is well"
printf '<testsuite>%s</testsuite>' "$results" > "$junit"
exit 3
