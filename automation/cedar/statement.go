package cedar

import "strings"

// statement is the text of one policy, and the line that it begins in.
type statement struct {
	text string
	line int
}

// statements splits a file after each semicolon that is in no string and no
// comment. What is left after the last one is a statement too, unless it is empty.
func statements(text string) []statement {
	var found []statement
	var b strings.Builder
	line, from := 1, 0
	end := func() {
		if b.Len() > 0 {
			found = append(found, statement{b.String(), from})
		}
		b.Reset()
		from = 0
	}
	for i := 0; i < len(text); {
		switch n := tokenLength(text[i:]); {
		case strings.HasPrefix(text[i:], "//"):
			i += n
		case strings.TrimSpace(text[i:i+n]) == "" && from == 0:
			line += strings.Count(text[i:i+n], "\n")
			i += n
		default:
			if from == 0 {
				from = line
			}
			b.WriteString(text[i : i+n])
			line += strings.Count(text[i:i+n], "\n")
			if text[i] == ';' {
				end()
			}
			i += n
		}
	}
	if from != 0 {
		end()
	}
	return found
}

// tokenLength is how long the comment, the string or the byte is that the text
// begins with. A comment goes to its line's end; a string that does not end, too.
func tokenLength(text string) int {
	rest := strings.IndexByte(text, '\n')
	if rest < 0 {
		rest = len(text)
	}
	if strings.HasPrefix(text, "//") {
		return rest
	}
	if text[0] != '"' {
		return 1
	}
	for i := 1; i < rest; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return max(1, rest)
}
