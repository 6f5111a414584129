package com.frank.demo.consumer;

import com.frank.demo.api.GreetingService;
import com.frank.demo.common.Application;
import com.frank.demo.common.Dubbo;
import com.frank.demo.common.Launcher;
import com.frank.demo.common.Settings;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks a provider for the greeting, and shows it by HTTP. */
public final class Consumer implements Application {

    private static final Logger LOG = LoggerFactory.getLogger(Consumer.class);
    private static final int PORT = 8080;
    private static final int TIMEOUT_MS = 2000;
    private static final int CONNECT_MS = 500;
    private static final int RETRIES = 2;
    private static final int LEAVE_SECONDS = 4;
    private static final int FINISH_SECONDS = 2;

    private final Settings settings;
    private final ReferenceConfig<GreetingService> reference = reference();
    private final DubboBootstrap dubbo;
    private volatile WebServer web;

    private Consumer(Settings settings) {
        this.settings = settings;
        dubbo = Dubbo.prepare(settings).reference(reference);
    }

    /**
     * Runs the consumer.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        Launcher.run(Consumer::new);
    }

    @Override
    public void start() throws IOException {
        dubbo.start();
        web = new WebServer(PORT, new Hello(reference.get(), settings.version(), settings.pod()));
        web.start();
        LOG.info("ready: http on port {}", PORT);
    }

    /** First what comes in, then what goes out: a request that is being answered still needs Dubbo. */
    @Override
    public void stop() {
        if (web != null) {
            web.leave();
            // Until every proxy in the cluster has heard that this pod leaves, requests come.
            pause(LEAVE_SECONDS);
            web.stop(FINISH_SECONDS);
        }
        dubbo.stop();
    }

    private static void pause(int seconds) {
        try {
            TimeUnit.SECONDS.sleep(seconds);
        } catch (InterruptedException problem) {
            Thread.currentThread().interrupt();
        }
    }

    private static ReferenceConfig<GreetingService> reference() {
        ReferenceConfig<GreetingService> reference = new ReferenceConfig<>();
        reference.setInterface(GreetingService.class);
        // Start without a provider, too: it may come later.
        reference.setCheck(false);
        reference.setTimeout(TIMEOUT_MS);
        reference.setRetries(RETRIES);
        reference.setCluster("failover");
        reference.setLoadbalance("roundrobin");
        reference.setParameters(Map.of(
                // providers are entered by interface; Dubbo would wait for entries by application as well
                "migration.step", "FORCE_INTERFACE",
                // an address in the registry at which nobody is
                "connect.timeout", String.valueOf(CONNECT_MS)));
        return reference;
    }
}
