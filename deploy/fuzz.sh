#!/bin/sh
# fuzz.sh TIME runs every fuzzer for so long (such as 1m), one after the other,
# and ends with the first failure. What one has found stays in the testdata of
# its package.
set -eu
time=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Where the time is over while the go command still collects, it calls that a
# failure ("context deadline exceeded") although nothing was found: what is
# found is always written to a file, and said.
overtime() {
  grep -q '^    context deadline exceeded$' "$log" && ! grep -q 'Failing input written to' "$log"
}

fuzz() { # PACKAGE FUZZER
  echo "$1 $2"
  if go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" "$1" >"$log" 2>&1; then
    cat "$log"
  else
    cat "$log"
    overtime
  fi
}

grep -rl --include='*_test.go' '^func Fuzz' alg rules cmd | while read -r file; do
  package=./$(dirname "$file")
  sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$file" | while read -r fuzzer; do
    fuzz "$package" "$fuzzer"
  done
done
