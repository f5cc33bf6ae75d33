package main

import (
	"bufio"
	"fmt"
	"strings"
)

// confirm asks a question that "yes" answers. Without an answer, because the input
// ends, it is an error: a pipeline must say what it wants.
func confirm(s *streams, question string) (bool, error) {
	fmt.Fprintf(s.err, "%s? Only yes does it: ", question)
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(s.err)
		return false, errNobodyAnswers
	}
	return strings.TrimSpace(answer) == "yes", nil
}
