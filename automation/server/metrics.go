package server
const metricsOff = "off"
