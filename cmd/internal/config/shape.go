package config

import "fmt"

// shape is what one word of the file may look like, for those who write it: a
// JSON Schema and a manual page.
type shape struct {
	// says describes it in words.
	says string
	// words are the only ones that are possible; empty for any.
	words []string
	// number says that it is a whole number from least to most.
	number      bool
	least, most int64
	// pattern is a regular expression of it; empty for none.
	pattern string
}

// numbers is the shape of a whole number of that range.
func numbers[T int | uint16](least, most T) shape {
	return shape{says: fmt.Sprintf("a whole number, %d to %d", least, most), number: true, least: int64(least), most: int64(most)}
}

// oneOf is the shape of a choice.
func oneOf[T ~string](known ...T) (s shape) {
	for i, k := range known {
		switch {
		case i == 0:
		case i == len(known)-1:
			s.says += " or "
		default:
			s.says += ", "
		}
		s.says += string(k)
		s.words = append(s.words, string(k))
	}
	return s
}

// described is the shape of a word of which only people can tell whether it is right.
func described(says string) shape { return shape{says: says} }
