package network_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

func certificate(args *network.CertificateArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := network.NewCertificate(ctx, "app", args)
		return err
	}
}

func TestCertificateIsOfOneName(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, certificate(&network.CertificateArgs{Domain: "app.example.org", ZoneID: "Z0123456789ABC"}))
	require.Equal(t, "app.example.org", g.Only(certificateType).Input("domainName"))
	require.False(t, g.Only(certificateType).Has("subjectAlternativeNames"))
	require.Equal(t, "Z0123456789ABC", g.Only(recordType).Input("zoneId"))
}

func TestCertificateReportsEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(certificate(&network.CertificateArgs{Domain: "App.Example.Org", ZoneID: "example.org"}))
	require.ErrorContains(t, err, "domain:")
	require.ErrorContains(t, err, "zoneId:")
	_, err = graphtest.Build(certificate(nil))
	require.ErrorContains(t, err, "args: missing")
}
