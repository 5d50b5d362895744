printf '<testsuite><testcase name="one"/><testcase name="tw' > "$junit"
exit 0
