// A stand-in for the Tencent Cloud SDK's vpc package: some networks refuse that module, and no lab runs in that cloud.
module github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/vpc

go 1.25.0
