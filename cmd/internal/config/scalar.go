package config

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// whole is a whole number of that range.
func whole[T int | uint16](least, most T) codec[T] {
	parse := func(text string) (T, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case errors.Is(err, strconv.ErrSyntax):
			return 0, fmt.Errorf("%s is not a whole number", quote(text))
		case err != nil || n < int64(least) || n > int64(most):
			return 0, fmt.Errorf("%s is out of range: %d to %d", quote(text), least, most)
		}
		return T(n), nil
	}
	return codec[T]{parse, func(n T) string { return strconv.FormatInt(int64(n), 10) }, numbers(least, most)}
}

// routeTable is the number of a routing table that the kernel has no use of
// its own for: 253, 254 and 255 are default, main and local (ip-route(8)).
func routeTable() codec[int] {
	number := whole(1, 1<<31-1)
	parse := func(text string) (int, error) {
		n, err := number.parse(text)
		if err == nil && n >= 253 && n <= 255 {
			return 0, fmt.Errorf("%s is a table of the kernel's own; write another number", quote(text))
		}
		return n, err
	}
	return codec[int]{parse, number.format, number.shape}
}

// bit is a packet mark of a single bit, decimal or hexadecimal with 0x.
func bit() codec[uint32] {
	return codec[uint32]{parseBit, func(n uint32) string { return fmt.Sprintf("%#x", n) }, described("a number of 32 bits of which one is set, such as 0x2000000")}
}

func parseBit(text string) (uint32, error) {
	number, hex := strings.CutPrefix(strings.ToLower(text), "0x")
	base := 10
	if hex {
		base = 16
	}
	n, err := strconv.ParseUint(number, base, 32)
	if err != nil {
		return 0, fmt.Errorf("%s is not a mark of 32 bits; write one like 0x2000000", quote(text))
	}
	if bits.OnesCount64(n) != 1 {
		return 0, fmt.Errorf("%s must be a single bit, so that the other bits stay free for others; write one like 0x2000000", quote(text))
	}
	return uint32(n), nil
}

// duration is a time with its unit.
func duration(least, most time.Duration) codec[time.Duration] {
	parse := func(text string) (time.Duration, error) {
		d, err := time.ParseDuration(text)
		switch {
		case err != nil && text != "" && strings.Trim(text, digits) == "", text == "0":
			return 0, fmt.Errorf("%s has no unit; write it like 10s, 5m or 1h", quote(text))
		case err != nil:
			return 0, fmt.Errorf("%s is not a duration like 10s, 5m or 1h", quote(text))
		case d < least || d > most:
			return 0, fmt.Errorf("%s is out of range: %s to %s", quote(text), formatDuration(least), formatDuration(most))
		}
		return d, nil
	}
	says := fmt.Sprintf("a time with its unit, such as 30s, 5m or 1h; %s to %s", formatDuration(least), formatDuration(most))
	return codec[time.Duration]{parse, formatDuration, shape{says: says, pattern: `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`}}
}

// formatDuration returns d without units that are zero: 1m for 1m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// choice is one of some known words.
func choice[T ~string](known ...T) codec[T] {
	parse := func(text string) (T, error) {
		if slices.Contains(known, T(text)) {
			return T(text), nil
		}
		return "", unknownWord(text, known)
	}
	return codec[T]{parse, func(v T) string { return string(v) }, oneOf(known...)}
}

func unknownWord[T ~string](text string, known []T) error {
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	return fmt.Errorf("%s is unknown; known are %s", quote(text), strings.Join(words, ", "))
}

// permission is the word refuse or allow; true means allow.
func permission() codec[bool] {
	words := choice("refuse", "allow")
	return codec[bool]{
		parse: func(text string) (bool, error) {
			word, err := words.parse(text)
			return word == "allow", err
		},
		format: func(allowed bool) string {
			if allowed {
				return "allow"
			}
			return "refuse"
		},
		shape: words.shape,
	}
}

// flag is the word true or false.
func flag() codec[bool] {
	words := choice("true", "false")
	return codec[bool]{
		parse: func(text string) (bool, error) {
			word, err := words.parse(text)
			return word == "true", err
		},
		format: strconv.FormatBool,
		shape:  words.shape,
	}
}

// absolute is the absolute path of a file, of at most that many bytes.
func absolute(most int) codec[string] {
	parse := func(text string) (string, error) {
		switch {
		case !strings.HasPrefix(text, "/"):
			return "", fmt.Errorf("%s is not an absolute path; begin with /", quote(text))
		case strings.HasSuffix(text, "/"):
			return "", fmt.Errorf("%s is a directory; name a file", quote(text))
		case len(text) > most:
			return "", fmt.Errorf("%s is too long: %d bytes, at most %d are possible", quote(text), len(text), most)
		case strings.ContainsFunc(text, unicode.IsControl):
			return "", fmt.Errorf("%s holds a control character", quote(text))
		}
		return text, nil
	}
	return codec[string]{parse, verbatim, shape{says: "the absolute path of a file", pattern: "^/.*[^/]$"}}
}
