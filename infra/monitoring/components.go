package monitoring

import "redoubt/guide"

// Components are the layer's components, for the coverage of the guide.
var Components = []guide.Component{
	LogGroupComponent,
	TrailComponent, DetectorComponent, MalwareScanComponent, RecorderComponent, SecurityHubComponent, ScannersComponent,
	TopicsComponent, AlertsComponent, ForwardingComponent, MetricFiltersComponent, WorkloadAlarmsComponent, CostsComponent,
	DashboardComponent, QueriesComponent,
}
