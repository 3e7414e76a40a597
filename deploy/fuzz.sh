#!/bin/sh
# fuzz.sh TIME runs every fuzzer for so long (such as 1m), one after the other,
# and ends with the first failure. What one has found stays in the testdata of
# its package.
set -eu
time=$1
grep -rl --include='*_test.go' '^func Fuzz' alg rules cmd | while read -r file; do
  package=./$(dirname "$file")
  sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$file" | while read -r fuzzer; do
    echo "$package $fuzzer"
    go test -run '^$' -fuzz "^$fuzzer\$" -fuzztime "$time" "$package"
  done
done
