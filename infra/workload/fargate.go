package workload

import (
	"fmt"
	"slices"
)

// fargateSizes are the memory sizes, in MiB, that Fargate has for a CPU size.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
var fargateSizes = map[int][]int{
	256:   {512, 1024, 2048},
	512:   steps(1024, 4096, 1024),
	1024:  steps(2048, 8192, 1024),
	2048:  steps(4096, 16384, 1024),
	4096:  steps(8192, 30720, 1024),
	8192:  steps(16384, 61440, 4096),
	16384: steps(32768, 122880, 8192),
}

func steps(from, to, by int) []int {
	var out []int
	for n := from; n <= to; n += by {
		out = append(out, n)
	}
	return out
}

// CheckSize returns what is wrong with a task's CPU units and MiB of memory, nil
// for a pair that Fargate has.
func CheckSize(cpu, memoryMiB int) error { return checkSize(cpu, memoryMiB) }

// checkSize returns what is wrong with a pair of CPU units and MiB, or nil.
func checkSize(cpu, memory int) error {
	sizes, ok := fargateSizes[cpu]
	if !ok {
		return fmt.Errorf("cpu: %d (256, 512, 1024, 2048, 4096, 8192 or 16384)", cpu)
	}
	if !slices.Contains(sizes, memory) {
		return fmt.Errorf("memoryMiB: %d with cpu %d (from %d to %d; Fargate has %d sizes for it)",
			memory, cpu, sizes[0], sizes[len(sizes)-1], len(sizes))
	}
	return nil
}
