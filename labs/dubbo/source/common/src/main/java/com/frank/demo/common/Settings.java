package com.frank.demo.common;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serial;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;

/**
 * What an application knows before it starts. Name and version are built in, the rest comes from the environment.
 *
 * @param name what Dubbo calls the application
 * @param version the version it was built as
 * @param registry where ZooKeeper is, as Dubbo writes it: {@code zookeeper://host:2181?backup=host:2181,host:2181}
 * @param pod the pod in which it runs, or the host
 * @param address the address at which it is reached; empty: Dubbo looks for one
 */
public record Settings(String name, String version, String registry, String pod, String address) {

    private static final Pattern REGISTRY = Pattern.compile("zookeeper://[\\w.-]+:\\d+(\\?backup=[\\w.:,-]+)?");
    private static final String BUILT_IN = "/application.properties";

    /** What is wrong with the settings, as a sentence for the user. */
    public static final class Wrong extends Exception {

        @Serial
        private static final long serialVersionUID = 1;

        Wrong(String sentence) {
            super(sentence);
        }
    }

    /**
     * Reads the settings.
     *
     * @param environment the environment variables
     * @return the settings
     * @throws Wrong if one is missing or can't be used
     */
    public static Settings of(Map<String, String> environment) throws Wrong {
        String registry = environment.getOrDefault("REGISTRY", "");
        if (!REGISTRY.matcher(registry).matches()) {
            throw new Wrong("Set REGISTRY to where ZooKeeper is, such as zookeeper://a:2181?backup=b:2181,c:2181.");
        }
        Properties builtIn = builtIn();
        String pod = environment.getOrDefault("POD_NAME", "");
        return new Settings(
                builtIn.getProperty("name"),
                builtIn.getProperty("version"),
                registry,
                pod.isEmpty() ? hostName() : pod,
                environment.getOrDefault("POD_IP", ""));
    }

    private static Properties builtIn() {
        Properties properties = new Properties();
        try (InputStream file = Settings.class.getResourceAsStream(BUILT_IN)) {
            properties.load(file);
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
        return properties;
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException problem) {
            return "unknown";
        }
    }
}
