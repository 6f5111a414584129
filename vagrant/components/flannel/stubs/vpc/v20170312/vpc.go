// Package v20170312 declares what flannel's tencent-vpc back end needs to compile. Every call fails with ErrNotSupported.
package v20170312

import "errors"

// ErrNotSupported is what every call of this package returns.
var ErrNotSupported = errors.New("the tencent-vpc back end is not part of this build")

type Filter struct {
	Name   *string
	Values []*string
}

type Route struct {
	DestinationCidrBlock, GatewayType, GatewayId, RouteType *string
	RouteId                                                 *uint64
	Enabled                                                 *bool
}

type RouteTable struct {
	RouteTableId *string
	RouteSet     []*Route
}

type DescribeRouteTablesRequest struct{ Filters []*Filter }

type DescribeRouteTablesResponse struct {
	Response *struct{ RouteTableSet []*RouteTable }
}

type routesRequest struct {
	RouteTableId *string
	Routes       []*Route
}

type (
	CreateRoutesRequest  routesRequest
	DeleteRoutesRequest  routesRequest
	CreateRoutesResponse struct{}
	DeleteRoutesResponse struct{}
)

func NewDescribeRouteTablesRequest() *DescribeRouteTablesRequest {
	return &DescribeRouteTablesRequest{}
}
func NewCreateRoutesRequest() *CreateRoutesRequest { return &CreateRoutesRequest{} }
func NewDeleteRoutesRequest() *DeleteRoutesRequest { return &DeleteRoutesRequest{} }

type Client struct{}

// NewClientWithSecretId always fails with ErrNotSupported.
func NewClientWithSecretId(id, key, region string) (*Client, error) { return nil, ErrNotSupported }

func (*Client) DescribeRouteTables(*DescribeRouteTablesRequest) (*DescribeRouteTablesResponse, error) {
	return nil, ErrNotSupported
}

func (*Client) CreateRoutes(*CreateRoutesRequest) (*CreateRoutesResponse, error) {
	return nil, ErrNotSupported
}

func (*Client) DeleteRoutes(*DeleteRoutesRequest) (*DeleteRoutesResponse, error) {
	return nil, ErrNotSupported
}
