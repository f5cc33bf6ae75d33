package server

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"redoubt/automation/provision"
)

// disk is the low-water mark of the disks that this process writes to. An operation
// that finds no room in its middle is left half done; one that waits is not.
type disk struct {
	folders []string
	least   Size
	log     *slog.Logger
	// full says what the log has been told.
	full atomic.Bool
}

func newDisk(config Config, log *slog.Logger) *disk {
	return &disk{folders: []string{config.Data, os.TempDir()}, least: config.Limits.DiskFree, log: log}
}

// free is how much the fullest of the folders' disks has left for others than root. A
// disk that does not say is not the fullest.
func (d *disk) free() Size {
	least := Size(math.MaxInt64)
	for _, folder := range d.folders {
		var s syscall.Statfs_t
		if err := syscall.Statfs(folder, &s); err == nil {
			least = min(least, Size(min(s.Bavail*uint64(s.Bsize), math.MaxInt64))) //nolint:gosec,unconvert // sizes are not negative, and differ between systems
		}
	}
	return least
}

// check is an error while there is less than the mark.
func (d *disk) check() error {
	if d.least == 0 {
		return nil
	}
	free := d.free()
	full := free < d.least
	if was := d.full.Swap(full); full != was {
		d.told(full, free)
	}
	if !full {
		return nil
	}
	return &provision.Error{Code: provision.CodeUnavailable, RetryAfter: time.Minute, Message: fmt.Sprintf(
		"the server's disk is nearly full, and nothing more is ordered or run until there is room: less than %s is free (limits.diskFree). The operator frees some, or gives it more; what waits goes on by itself", d.least)}
}

func (d *disk) told(full bool, free Size) {
	if full {
		d.log.Error("a disk is nearly full: orders are refused, and what waits is not run", "folders", d.folders, "free", free, "least", d.least)
		return
	}
	d.log.Info("there is room again: orders are taken and run", "free", free)
}

// watch adds the metrics.
func (d *disk) watch(registry *prometheus.Registry) {
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "redoubt_disk_free_bytes", Help: "What is free where data and temporary files are, the smaller of the two."},
			func() float64 { return float64(d.free()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "redoubt_intake_stopped", Help: "1 while orders are refused because less than limits.diskFree is free."},
			func() float64 {
				if d.check() != nil {
					return 1
				}
				return 0
			}),
	)
}
