# Sourced by the benchmarks' scripts: medians, quartiles and tables. Samples stand in files, one run a line.

# quantile FILE COLUMN PERCENT: by the nearest rank.
quantile() {
  sort -g -k "$2,$2" "$1" | awk -v column="$2" -v percent="$3" '
    { value[NR] = $column }
    END { rank = int(NR * percent / 100 + 0.999999); print value[rank < 1 ? 1 : rank] }'
}

median() { quantile "$1" "$2" 50; }

# ratio A B: A / B.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

heading() { # TITLE UNIT LAST-COLUMN
  printf '\n%-48s %9s %9s %9s %5s  %s\n' "$1" "median" "quarter" "three q." "runs" "${3:-}"
  printf '%s\n' "$2"
}

# row LABEL FILE COLUMN FORMAT [TEXT]: TEXT stands in the last column.
row() {
  local label=$1 file=$2 column=$3 format=$4
  printf "  %-46s %9${format} %9${format} %9${format} %5d  %s\n" "$label" "$(median "$file" "$column")" \
    "$(quantile "$file" "$column" 25)" "$(quantile "$file" "$column" 75)" "$(wc -l <"$file")" "${5:-}"
}
