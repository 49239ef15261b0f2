import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

/** The route table as servlets of an embedded Tomcat, with its default settings. Arguments: a port, a folder. */
public class Routes {
    public static void main(String[] arguments) throws Exception {
        Logger.getLogger("org").setLevel(Level.OFF);
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(arguments[1]);
        tomcat.setPort(Integer.parseInt(arguments[0]));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        Context context = tomcat.addContext("", null);
        serve(context, "menu", "/api/menu");
        // A servlet has no parameters of a path: it takes its part of it apart by itself.
        serve(context, "item", "/api/menu/*");
        serve(context, "user", "/api/users/*");
        serve(context, "orders", "/api/orders/*");
        serve(context, "kiosk", "/api/kiosk");
        serve(context, "admin", "/admin/*");
        serve(context, "files", "/files/*");
        serve(context, "cafe", "/caf\u00e9");
        serve(context, "words", "/two words");
        serve(context, "comma", "/a,b");
        serve(context, "rest", "/");
        tomcat.start();
        tomcat.getServer().await();
    }

    private static void serve(Context context, String route, String pattern) {
        Tomcat.addServlet(context, route, new Say(route));
        context.addServletMappingDecoded(pattern, route);
    }

    private static class Say extends HttpServlet {
        private final String route;

        Say(String route) {
            this.route = route;
        }

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            String info = request.getPathInfo() == null ? "" : request.getPathInfo();
            String path = request.getServletPath() + info;
            String[] parts = info.split("/", -1);
            boolean one = parts.length == 2 && !parts[1].isEmpty();
            String said = switch (route) {
                case "item", "user" -> one ? route + "|~|" + path + "|~|" + parts[1] : "rest|~|" + path;
                case "orders" -> parts.length == 3 && !parts[1].isEmpty() && parts[2].equals("status")
                    ? "status|~|" + path + "|~|" + parts[1]
                    : "orders|~|" + path;
                default -> route + "|~|" + path;
            };
            response.getOutputStream().write(said.getBytes(StandardCharsets.UTF_8));
        }
    }
}
