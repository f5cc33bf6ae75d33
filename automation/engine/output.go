package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// output is one stream of a process, in a file that its owner alone reads. A
// file, and no pipe, because the process must outlive its reader.
type output struct {
	file *os.File
	// to is who reads along.
	to []io.Writer
	// stop ends the reading along; nil where nobody does.
	stop chan struct{}
	done chan struct{}
	read int64
}

// followEvery is how often a file is looked at that somebody reads along.
const followEvery = 50 * time.Millisecond

func newOutput(folder, pattern string, to []io.Writer) (*output, error) {
	file, err := os.CreateTemp(folder, pattern) // 0600
	if err != nil {
		return nil, fmt.Errorf("no file for the output of the Pulumi CLI: %w", err)
	}
	o := &output{file: file, to: to}
	if len(to) > 0 {
		o.stop, o.done = make(chan struct{}), make(chan struct{})
		go o.follow()
	}
	return o, nil
}

// follow hands on what is written until it is stopped, and then the rest.
func (o *output) follow() {
	defer close(o.done)
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case <-o.stop:
			o.copy()
			return
		case <-ticker.C:
			o.copy()
		}
	}
}

// copy hands on what is new. A reader that fails misses it, and nothing else
// comes of it.
func (o *output) copy() {
	n, _ := io.Copy(io.MultiWriter(o.to...), io.NewSectionReader(o.file, o.read, 1<<62))
	o.read += n
}

// finish ends the reading along and returns the whole text.
func (o *output) finish() (string, error) {
	if o.stop != nil {
		close(o.stop)
		<-o.done
		o.stop = nil
	}
	text, err := io.ReadAll(io.NewSectionReader(o.file, 0, 1<<62))
	if err != nil {
		return "", fmt.Errorf("the output of the Pulumi CLI cannot be read: %w", err)
	}
	return string(text), nil
}

// close removes the file.
func (o *output) close() {
	if o.stop != nil {
		close(o.stop)
		<-o.done
	}
	_ = errors.Join(o.file.Close(), os.Remove(o.file.Name())) // the folder goes too
}
