package com.frank.demo.provider;

import com.frank.demo.api.GreetingService;
import com.frank.demo.common.Application;
import com.frank.demo.common.Dubbo;
import com.frank.demo.common.Launcher;
import com.frank.demo.common.Settings;
import java.util.Map;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers the greeting by Dubbo, and enters itself into the registry. */
public final class Provider implements Application {

    private static final Logger LOG = LoggerFactory.getLogger(Provider.class);
    private static final int PORT = 20880;
    private static final int THREADS = 32;
    private static final int WARMUP_MS = 1000;

    private final DubboBootstrap dubbo;

    private Provider(Settings settings) {
        dubbo = Dubbo.prepare(settings).protocol(protocol(settings.address())).service(service(settings));
    }

    /**
     * Runs the provider.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        Launcher.run(Provider::new);
    }

    @Override
    public void start() {
        dubbo.start();
        LOG.info("registered: {} on port {}", GreetingService.class.getName(), PORT);
    }

    /** Dubbo tells the consumers, leaves the registry and finishes the calls that run. */
    @Override
    public void stop() {
        dubbo.stop();
    }

    private static ProtocolConfig protocol(String address) {
        ProtocolConfig protocol = new ProtocolConfig("dubbo", PORT);
        if (!address.isEmpty()) {
            protocol.setHost(address);
        }
        protocol.setThreads(THREADS);
        return protocol;
    }

    private static ServiceConfig<GreetingService> service(Settings settings) {
        ServiceConfig<GreetingService> service = new ServiceConfig<>();
        service.setInterface(GreetingService.class);
        service.setRef(new Greeter(settings.version(), settings.pod()));
        // Dubbo sends a new provider its full share of calls only after ten minutes, so that a large one can warm up.
        // This one is warm at once, and after a roll-out its answers are to be seen.
        service.setParameters(Map.of("warmup", String.valueOf(WARMUP_MS)));
        return service;
    }
}
