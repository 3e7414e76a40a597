package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// eventsTable documents what is logged, for operators.
const eventsTable = "../../../deploy/doc/events.md"

// logCall is one place where an event is logged.
type logCall struct {
	at           token.Position
	event, level string
	keys         []string
}

// methods are the ways to log: how many arguments stand before the keys, the
// level, and the keys that each line has besides.
var methods = map[string]struct {
	before int
	level  string
	keys   []string
}{
	"Debug": {1, "debug", nil}, "Info": {1, "info", nil}, "Warn": {1, "warn", nil}, "Error": {1, "error", nil},
	"Log":   {3, "trace", nil},                            // (context, alg.LevelTrace, message, ...)
	"trace": {2, "debug", []string{"session", "pinhole"}}, // the daemon's, for data connections
}

// logCalls finds where the program logs.
func logCalls(t *testing.T) (all []logCall) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir("../../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && logs(c) {
				call, err := readCall(c)
				call.at = files.Position(c.Pos())
				if strings.HasSuffix(call.at.Filename, "alg/relay.go") {
					call.keys = append(call.keys, "session") // its log is the session's
				}
				if err != nil {
					t.Errorf("%s: %v", call.at, err)
				}
				all = append(all, call)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// logs reports whether c calls a logger, or passes an event on to one.
func logs(c *ast.CallExpr) bool {
	method, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	m, known := methods[method.Sel.Name]
	return known && len(c.Args) >= m.before && c.Ellipsis == token.NoPos &&
		(isLog(method.X) || slices.ContainsFunc(c.Args, func(a ast.Expr) bool { return literal(a) == "event" }))
}

// isLog reports whether e is a logger, by its name.
func isLog(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "log"
	case *ast.SelectorExpr:
		return e.Sel.Name == "log"
	}
	return false
}

// ofSession reports whether e is the log of a session, whose lines have its
// number.
func ofSession(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "log" {
		return false
	}
	owner, ok := s.X.(*ast.Ident)
	return ok && (owner.Name == "s" || owner.Name == "h")
}

func readCall(c *ast.CallExpr) (call logCall, err error) {
	method := c.Fun.(*ast.SelectorExpr)
	m := methods[method.Sel.Name]
	call.level, call.keys = m.level, slices.Clone(m.keys)
	if ofSession(method.X) {
		call.keys = append(call.keys, "session")
	}
	args := c.Args[m.before:]
	if len(args) < 2 || len(args)%2 != 0 || literal(args[0]) != "event" || literal(args[1]) == "" {
		return call, fmt.Errorf("a log line without its event first")
	}
	call.event = literal(args[1])
	for i := 2; i < len(args); i += 2 {
		key := literal(args[i])
		if key == "" {
			return call, fmt.Errorf("%s: a key that is no literal", call.event)
		}
		call.keys = append(call.keys, key)
	}
	return call, nil
}

// literal returns the value of a string literal, "" for anything else.
func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(l.Value)
	return s
}

// documented is one row of the table.
type documented struct{ level, keys string }

func readTable(t *testing.T) map[string]documented {
	t.Helper()
	text, err := os.ReadFile(eventsTable)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]documented{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(line, "|\n "), "|")
		if len(cells) < 4 || !strings.HasPrefix(cells[0], "`") {
			continue
		}
		event := strings.Trim(cells[0], "` ")
		if _, twice := rows[event]; twice {
			t.Errorf("%s has two rows", event)
		}
		rows[event] = documented{strings.TrimSpace(cells[1]), sorted(strings.Split(strings.Trim(cells[2], " "), ", "))}
	}
	return rows
}

// sorted joins keys in their order, each once.
func sorted(keys []string) string {
	once := map[string]bool{}
	for _, k := range keys {
		if k = strings.Trim(k, "` "); k != "" {
			once[k] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(once)), ", ")
}

func TestEveryEventIsDocumented(t *testing.T) {
	logged := map[string]documented{}
	for _, c := range logCalls(t) {
		d := documented{c.level, sorted(c.keys)}
		if had, twice := logged[c.event]; twice && had != d {
			t.Errorf("%s: %s is logged elsewhere with %+v, here with %+v", c.at, c.event, had, d)
		}
		logged[c.event] = d
	}
	table := readTable(t)
	for event, is := range logged {
		if said, ok := table[event]; !ok {
			t.Errorf("%s is not in %s: level %s, keys %s", event, eventsTable, is.level, is.keys)
		} else if said != is {
			t.Errorf("%s is %+v, the table says %+v", event, is, said)
		}
	}
	for event := range table {
		if _, ok := logged[event]; !ok {
			t.Errorf("%s is in the table and logged nowhere", event)
		}
	}
	if len(logged) < 20 {
		t.Errorf("only %d events were found", len(logged))
	}
}
