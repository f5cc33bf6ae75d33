package main

import (
	"io"
	"strings"
)

// clean leaves out what would move a terminal's cursor or change what is on it: much
// of what is printed others have written.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// cleaned writes texts cleaned: each write is whole ones.
type cleaned struct{ to io.Writer }

// Write implements io.Writer.
func (c cleaned) Write(text []byte) (int, error) {
	if _, err := io.WriteString(c.to, clean(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
