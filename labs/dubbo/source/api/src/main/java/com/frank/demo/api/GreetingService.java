package com.frank.demo.api;

/** What the provider offers. */
public interface GreetingService {

    /**
     * Greets somebody.
     *
     * @param name who is greeted
     * @return the words, and who says them
     */
    Greeting greet(String name);
}
