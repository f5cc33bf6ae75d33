package ruledoc

import (
	"go/ast"
	"go/format"
	"go/parser"
	"regexp"
	"strings"
)

// kind says what a part of a rule's fix is.
type kind int

const (
	prose kind = iota
	// goCode is a Go expression, or a field with its value.
	goCode
	// otherCode is JSON, a pattern, or the name of an action or a condition key.
	otherCode
)

// part is a piece of a rule's fix.
type part struct {
	kind kind
	text string
}

var (
	// selector is what Go code starts with: a name in a package, or of a variable.
	selector = regexp.MustCompile(`^&?[a-z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)+`)
	member   = regexp.MustCompile(`^\.[A-Z][A-Za-z0-9]*`)
	// field is a field's name before its value.
	field = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*: `)
	// jsonKey is a key before its value.
	jsonKey  = regexp.MustCompile(`^"[^"]+": `)
	jsonWord = regexp.MustCompile(`^("[^"]*"|true|false|[0-9]+)`)
	// action is an action of IAM, or a condition key.
	action = regexp.MustCompile(`^[a-z0-9-]+:([A-Z][A-Za-z]*(:…|(:[a-z]+)*)\*?|\*)`)
)

// parts takes a rule's fix apart: most fixes are a Go expression, others say in
// prose how expressions go together.
func parts(fix string) []part {
	var out []part
	start := 0
	for i := 0; i < len(fix); {
		kind, n := prose, 0
		if i == 0 || !isWord(fix[i-1]) {
			kind, n = codeAt(fix[i:])
		}
		if n == 0 {
			i++
			continue
		}
		if i > start {
			out = append(out, part{prose, fix[start:i]})
		}
		out = append(out, part{kind, fix[i : i+n]})
		i += n
		start = i
	}
	if start < len(fix) {
		out = append(out, part{prose, fix[start:]})
	}
	return out
}

func isWord(c byte) bool {
	return c == '.' || c == ':' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// codeAt returns what code the text starts with, and how long it is.
func codeAt(s string) (kind, int) {
	if n := expression(s); n > 0 {
		return goCode, n
	}
	if m := field.FindString(s); m != "" {
		if n := expression(s[len(m):]); n > 0 {
			return goCode, len(m) + n
		}
	}
	if m := jsonKey.FindString(s); m != "" {
		rest := s[len(m):]
		if n := balanced(rest); n > 0 {
			return otherCode, len(m) + n
		}
		if w := jsonWord.FindString(rest); w != "" {
			return otherCode, len(m) + len(w)
		}
	}
	switch s[0] {
	case '{':
		return otherCode, balanced(s)
	case '"':
		return otherCode, quoted(s)
	}
	return otherCode, len(action.FindString(s))
}

// expression is the length of a Go expression that starts with a selector.
func expression(s string) int {
	n := len(selector.FindString(s))
	for n > 0 && n < len(s) {
		more := balanced(s[n:])
		if more == 0 && s[n] == '.' {
			more = len(member.FindString(s[n:]))
		}
		if more == 0 {
			break
		}
		n += more
	}
	return n
}

// balanced is the length of what stands in the bracket that the text starts with.
func balanced(s string) int {
	depth, inText := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '(' || c == '[':
			depth++
		case c == '}' || c == ')' || c == ']':
			depth--
		}
		if depth == 0 {
			if i == 0 {
				return 0
			}
			return i + 1
		}
	}
	return 0
}

// left stands for what a fix leaves to its reader, which it writes as an ellipsis.
const left = "ϕ"

// parse reads Go code of a fix.
func parse(code string) (ast.Expr, error) {
	code = strings.ReplaceAll(code, "…", left)
	if field.MatchString(code) {
		code = "_{" + code + "}"
	}
	return parser.ParseExpr(code)
}

// From how many characters on an expression stands in a block of its own, and
// its elements on lines of their own.
const (
	block = 60
	wide  = 76
)

// fixText is a rule's fix in Markdown.
func fixText(fix string) string {
	list := parts(fix)
	if len(list) == 1 && list[0].kind == goCode {
		return fenced(fix)
	}
	var out strings.Builder
	afterBlock := false
	for i, p := range list {
		switch {
		case p.kind == goCode && len(p.text) > block && strings.Contains(p.text, "{"):
			out.WriteString("\n\n" + fenced(p.text) + "\n\n")
			afterBlock = true
			continue
		case p.kind != prose:
			out.WriteString("`" + p.text + "`")
		default:
			text := cell(p.text)
			if afterBlock {
				text = strings.TrimLeft(text, " ,;")
			}
			if i == 0 {
				text = capital(text)
			}
			out.WriteString(text)
		}
		afterBlock = false
	}
	return strings.TrimSpace(strings.ReplaceAll(out.String(), " \n", "\n"))
}

func fenced(code string) string { return "```go\n" + layout(code) + "\n```" }

// layout puts an expression on as many lines as it needs, as gofmt has them.
func layout(code string) string {
	const before = "package p\n\nvar _ = "
	source := before + broken(strings.ReplaceAll(code, "…", left))
	formatted, err := format.Source([]byte(source))
	if err != nil {
		return code // a field with its value
	}
	return strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(string(formatted), before)), left, "…")
}

// broken gives each element of a wide literal a line.
func broken(code string) string {
	open := strings.IndexByte(code, '{')
	if len(code) <= wide || open < 0 {
		return code
	}
	n := balanced(code[open:])
	if n == 0 || strings.Contains(code[:open], `"`) {
		return code
	}
	var out strings.Builder
	out.WriteString(code[:open] + "{\n")
	for _, element := range elements(code[open+1 : open+n-1]) {
		out.WriteString(broken(element) + ",\n")
	}
	out.WriteString("}" + code[open+n:])
	return out.String()
}

// elements splits a literal's inside at its own commas.
func elements(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i += max(quoted(s[i:])-1, 0)
		case '{', '(', '[':
			i += max(balanced(s[i:])-1, 0)
		case ',':
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if rest := strings.TrimSpace(s[start:]); rest != "" {
		out = append(out, rest)
	}
	return out
}

// quoted is the length of the quotation that the text starts with.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}
