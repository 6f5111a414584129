$ORIGIN frank.com.
$TTL 60
@ IN SOA f0-11.frank.com. hostmaster.frank.com. (
    1     ; serial: one more whenever the zone changes
    3600  ; refresh
    600   ; retry
    86400 ; expire
    5 )   ; negative answers live 5 s
@ IN NS f0-11
f0-11 IN A 192.168.56.11
f0-12 IN A 192.168.56.12
f0-13 IN A 192.168.56.13
f0-14 IN A 192.168.56.14
f0-15 IN A 192.168.56.15
f0-api IN A 192.168.56.10
harbor IN A 192.168.56.15
k8s-yaml IN A 192.168.56.15
git IN A 192.168.56.15
ci IN A 192.168.56.15
dubbo-monitor IN A 192.168.56.15
