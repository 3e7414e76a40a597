package config

import "gopkg.in/yaml.v3"

// value is one value of the file, bound to where a Config keeps it.
type value interface {
	// read takes the value from n, and reports what is wrong with it.
	read(d *decoder, path string, n *yaml.Node)
	// node returns the value as it is written; nil where it is not set.
	node() *yaml.Node
}

// word is a value of a single word.
type word struct {
	parse func(text string) error
	text  func() string // empty where the value is not set
	shape shape
}

// wordOrGroup is a mapping, of which the one word may stand in its place.
type wordOrGroup struct {
	word  word
	group group
	// whole reports whether the mapping is printed.
	whole func() bool
}

// list is a list of words.
type list struct {
	single bool // one word may stand in place of a list
	grow   func() word
	words  func() []word
}

// group is a mapping.
type group []field

// section is a mapping that may be left away.
type section struct {
	make func() group
	get  func() (group, bool)
}

// sequence is a list of mappings.
type sequence struct {
	grow  func() group
	items func() []group
}

// codec is how a T is written as one word. Its parse quotes what it refuses;
// its format returns nothing for a T that is not set.
type codec[T any] struct {
	parse  func(text string) (T, error)
	format func(T) string
	shape  shape
}

// one is a single T. A word that cannot be parsed leaves it alone.
func one[T any](at *T, c codec[T]) word {
	return word{
		parse: func(text string) error {
			v, err := c.parse(text)
			if err == nil {
				*at = v
			}
			return err
		},
		text:  func() string { return c.format(*at) },
		shape: c.shape,
	}
}

// many is a list of T. What the file lists replaces the default.
func many[T any](at *[]T, c codec[T]) list {
	var own []T
	return list{
		grow: func() word {
			own = append(own, zero[T]())
			*at = own
			return one(&own[len(own)-1], c)
		},
		words: func() []word {
			words := make([]word, len(*at))
			for i := range *at {
				words[i] = one(&(*at)[i], c)
			}
			return words
		},
	}
}

// oneOrMany is a list of T, or one T in place of it.
func oneOrMany[T any](at *[]T, c codec[T]) list {
	l := many(at, c)
	l.single = true
	return l
}

// optional is a mapping into a T that stays nil without it.
func optional[T any](at **T, fresh func() T, fields func(*T) []field) section {
	return section{
		make: func() group {
			v := fresh()
			*at = &v
			return fields(&v)
		},
		get: func() (group, bool) {
			if *at == nil {
				return nil, false
			}
			return fields(*at), true
		},
	}
}

// groups is a list of mappings into T.
func groups[T any](at *[]T, fresh func() T, fields func(*T) []field) sequence {
	return sequence{
		grow: func() group {
			*at = append(*at, fresh())
			return fields(&(*at)[len(*at)-1])
		},
		items: func() []group {
			items := make([]group, len(*at))
			for i := range *at {
				items[i] = fields(&(*at)[i])
			}
			return items
		},
	}
}

// zero returns T's zero value.
func zero[T any]() (v T) { return v }
