package com.frank.demo.provider;

import com.frank.demo.api.Greeting;
import com.frank.demo.api.GreetingService;

/** Greets. */
final class Greeter implements GreetingService {

    /** The words; %s is the name. */
    private static final String GREETING = "Hello, %s!";

    private final String version;
    private final String pod;

    Greeter(String version, String pod) {
        this.version = version;
        this.pod = pod;
    }

    @Override
    public Greeting greet(String name) {
        return new Greeting(String.format(GREETING, name), version, pod);
    }
}
