package data

import "redoubt/guide"

// Components are the package's components.
var Components = []guide.Component{
	KeyComponent, BucketComponent, SecretComponent, AuroraComponent, ProxyComponent, OpenSearchComponent,
	LogIngestionComponent, BackupComponent,
}
