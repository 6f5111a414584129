package com.frank.demo.api;

import java.io.Serial;
import java.io.Serializable;

/**
 * A greeting, and which provider gave it.
 *
 * <p>A class and no record: Dubbo's Hessian makes an object and then fills its fields, and a record's can't be filled.
 */
public final class Greeting implements Serializable {

    @Serial
    private static final long serialVersionUID = 1;

    private final String message;
    private final String version;
    private final String pod;

    /**
     * Makes a greeting.
     *
     * @param message the words
     * @param version the provider's version
     * @param pod the pod in which the provider runs
     */
    public Greeting(String message, String version, String pod) {
        this.message = message;
        this.version = version;
        this.pod = pod;
    }

    /** Returns the words. */
    public String message() {
        return message;
    }

    /** Returns the version of the provider that answered. */
    public String version() {
        return version;
    }

    /** Returns the pod of the provider that answered. */
    public String pod() {
        return pod;
    }
}
