package rehearsal_test

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	"redoubt/internal/rehearsal"
)

// A subnet in a VPC that is not there is refused as AWS refuses it.
func ExampleAccount_Provider() {
	account, err := rehearsal.Open("") // a path would keep it for the next command
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	aws := account.Provider()
	if _, err := aws.Configure(ctx, plugin.ConfigureRequest{Inputs: resource.PropertyMap{"region": resource.NewProperty("eu-west-1")}}); err != nil {
		panic(err)
	}
	const subnet = "aws:ec2/subnet:Subnet"
	_, err = aws.Create(ctx, plugin.CreateRequest{
		URN: urn.New("dev", "shop", "", subnet, "app"), Name: "app", Type: subnet,
		Properties: resource.PropertyMap{"vpcId": resource.NewProperty("vpc-0123"), "cidrBlock": resource.NewProperty("10.0.1.0/24")},
	})
	fmt.Println(rehearsal.Codes(err))
	fmt.Println(len(account.Resources()), "resources")
	// Output:
	// [InvalidVpcID.NotFound]
	// 0 resources
}

// Any Pulumi command uses the account when it runs with the server's environment
// entry.
func ExampleServe() {
	account, err := rehearsal.Open("")
	if err != nil {
		panic(err)
	}
	server, err := rehearsal.Serve(context.Background(), account, "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	// cmd := exec.Command("pulumi", "preview"); cmd.Env = append(os.Environ(), server.Env())
	fmt.Println(server.Env() == fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d", server.Port()))
	fmt.Println(server.Close(), account.Close())
	// Output:
	// true
	// <nil> <nil>
}
