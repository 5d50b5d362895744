# The smallest framework that writes JUnit XML: run.sh JUNIT FILE. The file's own commands say how it went.
junit=$1
file=$2
results=
failures=0
passed() { results="$results<testcase classname=\"cases\" name=\"$1\"/>"; }
skipped() { results="$results<testcase classname=\"cases\" name=\"$1\"><skipped message=\"$2\"/></testcase>"; }
failed() {
  results="$results<testcase classname=\"cases\" name=\"$1\"><failure type=\"Mismatch\" message=\"$2\"/></testcase>"
  failures=$((failures + 1))
}
. "./$file"
printf '<testsuite name="cases">%s</testsuite>\n' "$results" > "$junit"
[ "$failures" = 0 ]
