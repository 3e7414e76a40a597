package config

import (
	"strconv"
	"strings"
)

// longestShown bounds how much of a wrong value or key an error repeats, in
// characters.
const longestShown = 60

// nearest returns which of the known words was probably meant, or nothing. A
// word is near if it differs in at most a third of its letters.
func nearest(text string, known []string) string {
	best, least := "", 0
	for _, k := range known {
		if len(text) > 2*len(k) {
			continue
		}
		d := distance(strings.ToLower(text), k)
		if d <= max(1, len(k)/3) && (best == "" || d < least) {
			best, least = k, d
		}
	}
	return best
}

// distance returns how many letters must be added, removed or replaced to
// turn a into b, two neighbours swapped counting as one (optimal string
// alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// quote returns a wrong value in quotes, shortened.
func quote(text string) string { return strconv.Quote(shorten(text)) }

// plain returns a key as part of a path: as it is, or quoted where it could
// be mistaken for something else.
func plain(key string) string {
	if key != "" && strings.Trim(key, letters+digits+"_-") == "" && len(key) <= longestShown {
		return key
	}
	return quote(key)
}

func shorten(text string) string {
	count := 0
	for i := range text {
		if count == longestShown {
			return text[:i] + "…"
		}
		count++
	}
	return text
}
