package workload

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// user is who the process is: not root, in the image's own group.
const user = "1000"

// container is ECS's container definition as far as we set it.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
type container struct {
	Name                   string           `json:"name"`
	Image                  string           `json:"image"`
	Essential              bool             `json:"essential"`
	User                   string           `json:"user"`
	Privileged             bool             `json:"privileged"`
	ReadonlyRootFilesystem bool             `json:"readonlyRootFilesystem"`
	LinuxParameters        linuxParameters  `json:"linuxParameters"`
	PortMappings           []portMapping    `json:"portMappings"`
	Environment            []variable       `json:"environment"`
	Secrets                []secret         `json:"secrets"`
	MountPoints            []mountPoint     `json:"mountPoints"`
	VolumesFrom            []struct{}       `json:"volumesFrom"`
	SystemControls         []struct{}       `json:"systemControls"`
	LogConfiguration       logConfiguration `json:"logConfiguration"`
	StopTimeout            int              `json:"stopTimeout"`
}

type linuxParameters struct {
	InitProcessEnabled bool         `json:"initProcessEnabled"`
	Capabilities       capabilities `json:"capabilities"`
}

type capabilities struct {
	Drop []string `json:"drop"`
}

type portMapping struct {
	Name          string `json:"name"`
	ContainerPort int    `json:"containerPort"`
	HostPort      int    `json:"hostPort"`
	Protocol      string `json:"protocol"`
	AppProtocol   string `json:"appProtocol"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type secret struct {
	Name      string `json:"name"`
	ValueFrom string `json:"valueFrom"`
}

type mountPoint struct {
	SourceVolume  string `json:"sourceVolume"`
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly"`
}

type logConfiguration struct {
	LogDriver string            `json:"logDriver"`
	Options   map[string]string `json:"options"`
}

// volume is a part of the file system that the container may write to.
type volume struct{ name, path string }

// volumes are the writable places over the read-only root. Fargate makes them
// root's unless the image declares them (VOLUME /tmp after chmod 1777), so
// images must. ECS Exec's agent writes to three more; AWS does not support it
// over a read-only root, with these volumes it works (containers-roadmap#1359).
func (args *ServiceArgs) volumes() []volume {
	vs := []volume{{"tmp", "/tmp"}}
	if args.ExecuteCommand {
		vs = append(vs,
			volume{"managed-agents", "/managed-agents"},
			volume{"ssm-lib", "/var/lib/amazon/ssm"},
			volume{"ssm-log", "/var/log/amazon/ssm"})
	}
	return vs
}

// containerDefinitions is the task's one container as JSON. It holds names and
// composed ARNs only, so it is known at preview and a policy can read it.
// The empty lists are what ECS answers; without them the provider sees a
// change, and with it a new revision, at every update.
func (args *ServiceArgs) containerDefinitions() (string, error) {
	c := container{
		Name: args.ServiceName, Image: args.Image, Essential: true,
		User: user, ReadonlyRootFilesystem: true,
		LinuxParameters: linuxParameters{InitProcessEnabled: true, Capabilities: capabilities{Drop: []string{"ALL"}}},
		PortMappings: []portMapping{{
			Name: "http", ContainerPort: args.port(), HostPort: args.port(), Protocol: "tcp", AppProtocol: "http",
		}},
		Environment: []variable{}, Secrets: []secret{}, MountPoints: []mountPoint{},
		VolumesFrom: []struct{}{}, SystemControls: []struct{}{},
		LogConfiguration: logConfiguration{LogDriver: "awslogs", Options: map[string]string{
			"awslogs-group":         LogGroupName(args.Environment, args.ServiceName),
			"awslogs-region":        args.Scope.Region,
			"awslogs-stream-prefix": args.ServiceName,
			// A log that cannot be written must not stop the application.
			"mode":            "non-blocking",
			"max-buffer-size": "25m",
		}},
		StopTimeout: 30,
	}
	for _, name := range slices.Sorted(maps.Keys(args.Variables)) {
		c.Environment = append(c.Environment, variable{name, args.Variables[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(args.Parameters)) {
		c.Secrets = append(c.Secrets, secret{name, args.parameterARN(name)})
	}
	for _, name := range slices.Sorted(maps.Keys(args.Secrets)) {
		c.Secrets = append(c.Secrets, secret{name, args.Secrets[name]})
	}
	for _, v := range args.volumes() {
		c.MountPoints = append(c.MountPoints, mountPoint{SourceVolume: v.name, ContainerPath: v.path})
	}
	text, err := json.Marshal([]container{c})
	if err != nil {
		return "", fmt.Errorf("container definition: %w (use plain strings)", err)
	}
	return string(text), nil
}
