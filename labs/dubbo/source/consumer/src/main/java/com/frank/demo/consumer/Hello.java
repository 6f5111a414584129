package com.frank.demo.consumer;

import com.frank.demo.api.Greeting;
import com.frank.demo.api.GreetingService;
import org.apache.dubbo.rpc.RpcException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks a provider for a greeting, and puts into JSON what comes back. */
final class Hello {

    private static final Logger LOG = LoggerFactory.getLogger(Hello.class);
    private static final int LONGEST_NAME = 64;
    private static final String EVERYBODY = "world";

    private final GreetingService service;
    private final String consumer;

    /**
     * Makes it.
     *
     * @param service the provider, or what Dubbo puts in its place
     * @param version this consumer's version
     * @param pod the pod in which this consumer runs
     */
    Hello(GreetingService service, String version, String pod) {
        this.service = service;
        this.consumer = who(version, pod);
    }

    /** An HTTP status, and the JSON that goes with it. */
    record Answer(int status, String json) {
    }

    /** Returns the greeting for a name, or why there is none. */
    Answer greet(String name) {
        if (name.codePointCount(0, name.length()) > LONGEST_NAME) {
            return new Answer(400, Json.error("The name is longer than " + LONGEST_NAME + " characters."));
        }
        try {
            Greeting greeting = service.greet(name.isBlank() ? EVERYBODY : name);
            return new Answer(200, "{\"message\": " + Json.string(greeting.message())
                    + ", \"provider\": " + who(greeting.version(), greeting.pod()) + ", \"consumer\": " + consumer + "}");
        } catch (RuntimeException problem) {
            String sentence = sentence(problem);
            LOG.warn(sentence);
            return new Answer(503, Json.error(sentence));
        }
    }

    private static String sentence(RuntimeException problem) {
        if (!(problem instanceof RpcException rpc)) {
            return "The provider failed: " + problem.getMessage();
        }
        if (rpc.isTimeout()) {
            return "No provider answered in time.";
        }
        if (rpc.isNetwork() || rpc.isForbidden() || rpc.isNoInvokerAvailableAfterFilter()) {
            return "No provider is there: none is registered or none of those registered can be reached.";
        }
        return "The call failed: " + rpc.getMessage();
    }

    private static String who(String version, String pod) {
        return "{\"version\": " + Json.string(version) + ", \"pod\": " + Json.string(pod) + "}";
    }
}
