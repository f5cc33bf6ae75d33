package chaos

import (
	"fmt"
	"os"
	"syscall"
)

// ownMounts gives a process mounts of its own, which needs no rights where users
// may have namespaces.
func ownMounts() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attributes
}

// smallDisk mounts a disk of so many bytes on a folder, for this process alone.
func smallDisk(folder string, size int) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	return syscall.Mount("none", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size))
}
