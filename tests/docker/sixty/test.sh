# Waits until the gate is opened by somebody who opens its other end for writing, without using any processor time,
# and passes.
[ -e gate/open ] || : < gate/fifo
printf '<testsuite><testcase name="%s"/></testsuite>' "$0" > "$1"
