package com.frank.demo.common;

import java.util.Map;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.MetricsConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.apache.dubbo.config.nested.AggregationConfig;

/** How both applications use Dubbo. */
public final class Dubbo {

    /** Health and metrics, which Dubbo calls QoS: {@code /live}, {@code /ready}, {@code /metrics}. */
    private static final int QOS_PORT = 22222;
    private static final int SESSION_MS = 15_000;
    private static final int CONNECT_MS = 10_000;
    private static final int NOTICE_MS = 500;
    private static final int SHUTDOWN_MS = 5_000;

    private Dubbo() {
    }

    /**
     * Prepares Dubbo: an application, its registry, its metrics. What it offers or asks for is added by the caller.
     *
     * @param settings who the application is and where ZooKeeper is
     * @return Dubbo, not started
     */
    public static DubboBootstrap prepare(Settings settings) {
        return DubboBootstrap.getInstance()
                .application(application(settings))
                .registry(registry(settings))
                .metrics(metrics());
    }

    private static ApplicationConfig application(Settings settings) {
        ApplicationConfig application = new ApplicationConfig(settings.name());
        application.setVersion(settings.version());
        // One entry an interface and provider, /dubbo/<interface>/providers/<URL>: what runs can be read in ZooKeeper.
        application.setRegisterMode("interface");
        application.setEnableFileCache(false);
        application.setShutwait(String.valueOf(SHUTDOWN_MS));
        application.setQosPort(QOS_PORT);
        // without that port a provider would run, and never be ready
        application.setQosCheck(true);
        // The kubelet and Prometheus come from other addresses. Health is open to all; metrics has to be named.
        application.setQosAcceptForeignIp(true);
        application.setQosAnonymousAllowCommands("metrics");
        return application;
    }

    private static RegistryConfig registry(Settings settings) {
        RegistryConfig registry = new RegistryConfig(settings.registry());
        registry.setTimeout(CONNECT_MS);
        // What a killed provider leaves in the registry goes after this time.
        registry.setSession(SESSION_MS);
        // ZooKeeper holds addresses only: no configuration, no metadata.
        registry.setUseAsConfigCenter(false);
        registry.setUseAsMetadataCenter(false);
        registry.setParameters(Map.of(
                // Stay with the members that REGISTRY names: what they call themselves may not be reachable from a pod.
                "zookeeper.ensemble.tracker", "false",
                // Of two changes in quick succession Dubbo would take note of the second 5 seconds after the first.
                "delay-notification", String.valueOf(NOTICE_MS)));
        return registry;
    }

    private static MetricsConfig metrics() {
        AggregationConfig aggregation = new AggregationConfig();
        aggregation.setEnabled(true);
        MetricsConfig metrics = new MetricsConfig();
        metrics.setProtocol("prometheus");
        metrics.setEnableRpc(true);
        metrics.setEnableThreadpool(false);
        metrics.setCollectorSyncPeriod(5);
        // a Dubbo service with the same numbers, on a port of its own
        metrics.setExportMetricsService(false);
        metrics.setAggregation(aggregation);
        return metrics;
    }
}
