package com.frank.demo.common;

/** What the launcher starts and stops. */
public interface Application {

    /**
     * Starts it, and returns once it works.
     *
     * @throws Exception with a sentence for the user, if it can't work
     */
    void start() throws Exception;

    /** Ends what it does in good order, in a few seconds. */
    void stop();
}
