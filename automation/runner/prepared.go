package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"redoubt/automation/engine"
)

// prepared is a child that waits to be told its operation, with the folder that is
// the operation's. There is no secret in either.
type prepared struct {
	command []string
	folder  engine.Folder
	claim   *os.File
	pipes   *pipes
	child   *exec.Cmd
	// executable is the file that the child runs, as it was.
	executable os.FileInfo
	// exited is closed when the child has ended; exit is how.
	exited chan struct{}
	exit   error
}

// prepare starts a child. It gets no more of this process's environment than where
// programs and folders are: its operation's comes with its operation.
func prepare(command []string) (_ *prepared, err error) {
	p := &prepared{command: command, child: exec.Command(command[0], command[1:]...), exited: make(chan struct{})}
	if p.folder, p.claim, err = engine.MakeFolder(engine.OperationFolder); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.remove())
		}
	}()
	if p.pipes, err = newPipes(); err != nil {
		return nil, err
	}
	defer p.pipes.closeChild()
	if err = p.start(); err != nil {
		p.pipes.closeParent()
		return nil, err
	}
	go func() {
		p.exit = p.child.Wait()
		close(p.exited)
	}()
	// A child that is gone already is noticed by who reads what it says.
	_ = json.NewEncoder(p.pipes.control).Encode(greeting{p.folder})
	return p, nil
}

// start starts the child, with files as its output: what it prints last, of a
// panic, is there when it is gone.
func (p *prepared) start() error {
	stdout, err := p.outputFile("stdout")
	if err != nil {
		return err
	}
	defer stdout.Close() //nolint:errcheck // the child has its own
	stderr, err := p.outputFile("stderr")
	if err != nil {
		return err
	}
	defer stderr.Close() //nolint:errcheck // the child has its own
	p.child.Dir = p.folder.Work()
	// Before its main function can say so, and much is made there: see engine.Folder.
	p.child.Env = append(engine.Inherit{}.Environment(), "GOGC=400")
	p.child.Stdout, p.child.Stderr = stdout, stderr
	p.child.ExtraFiles = []*os.File{p.pipes.childControl, p.pipes.childMessages, p.pipes.childHeld, p.claim}
	// A group of its own: Control-C at the terminal is the parent's.
	p.child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Before it starts: one that is replaced meanwhile is another one.
	if p.executable, err = os.Stat(p.child.Path); err == nil {
		err = p.child.Start()
	}
	if err != nil {
		return fmt.Errorf("the operation's process cannot be started: %w", err)
	}
	return nil
}

func (p *prepared) outputFile(name string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(p.folder.Output(), name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the operation's output: %w", err)
	}
	return file, nil
}

// fits says whether the child is what the command would start now.
func (p *prepared) fits(command []string) bool {
	select {
	case <-p.exited:
		return false
	default:
	}
	now, err := os.Stat(p.child.Path)
	return err == nil && slices.Equal(command, p.command) &&
		os.SameFile(now, p.executable) && now.Size() == p.executable.Size() && now.ModTime().Equal(p.executable.ModTime())
}

// discard ends a child that was told nothing.
func (p *prepared) discard() {
	p.pipes.closeParent() // which is how it learns that nobody needs it
	timer := time.NewTimer(lingering)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		engine.KillGroup(p.child.Process.Pid)
		<-p.exited
	}
	_ = p.remove() // nothing is in it; the next operation tries again
}

// remove removes the folder, which nobody uses any more.
func (p *prepared) remove() error { return errors.Join(p.folder.Remove(), p.claim.Close()) }
