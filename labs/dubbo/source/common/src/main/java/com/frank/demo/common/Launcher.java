package com.frank.demo.common;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.dubbo.common.URL;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs an application from the first line of its log to the last. */
public final class Launcher {

    private static final Logger LOG = LoggerFactory.getLogger(Launcher.class);
    private static final int REGISTRY_SECONDS = 12;
    private static final int FAILED = 1;
    private static final int WRONG_SETTINGS = 2;

    static {
        // Dubbo asks for it before it knows the application's configuration.
        System.setProperty("dubbo.application.logger", "slf4j");
        // Its search for a JSON library would go on to one that isn't there, and JDK 25 ends it with an error.
        System.setProperty("dubbo.json-framework.prefer", "fastjson2");
        // The applications stop in an order of their own: Dubbo's hook would run beside it.
        System.setProperty("dubbo.shutdownHook.listenIgnore", "true");
        // ZooKeeper's client would look up the name of each member's address, to sign in by SASL, which nobody asks for.
        System.setProperty("zookeeper.sasl.client", "false");
    }

    private Launcher() {
    }

    /**
     * Runs an application until the process is told to end. What keeps it from starting is a sentence and an exit status.
     *
     * @param make makes the application from its settings
     */
    public static void run(Function<Settings, Application> make) {
        try {
            Settings settings = Settings.of(System.getenv());
            LOG.info("{} {} in {}", settings.name(), settings.version(), settings.pod());
            awaitRegistry(URL.valueOf(settings.registry()).getBackupAddress());
            Application application = make.apply(settings);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(application), "stop"));
            application.start();
            new CountDownLatch(1).await();
        } catch (Settings.Wrong problem) {
            LOG.error(problem.getMessage());
            System.exit(WRONG_SETTINGS);
        } catch (Exception problem) {
            LOG.error("did not start: {}", cause(problem).getMessage());
            System.exit(FAILED);
        } catch (Error problem) {
            LOG.error("did not start", problem);
            System.exit(FAILED);
        }
    }

    private static Throwable cause(Throwable problem) {
        return problem.getCause() == null ? problem : cause(problem.getCause());
    }

    /** Dubbo would wait longer, and say it in several stack traces. */
    private static void awaitRegistry(String members) throws IOException, InterruptedException {
        CountDownLatch connected = new CountDownLatch(1);
        int sessionMs = (int) TimeUnit.SECONDS.toMillis(REGISTRY_SECONDS) / 2;
        ZooKeeper client = new ZooKeeper(members, sessionMs, event -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        if (!connected.await(REGISTRY_SECONDS, TimeUnit.SECONDS)) {
            throw new IOException(
                    "ZooKeeper does not answer at " + members + ": no connection in " + REGISTRY_SECONDS + " seconds.");
        }
        client.close();
    }

    private static void stop(Application application) {
        LOG.info("stopping");
        application.stop();
        LOG.info("stopped");
    }
}
