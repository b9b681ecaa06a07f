import aura.client.ApiClient;
import aura.client.ApiException;
import aura.client.api.LogsApi;
import aura.client.api.RunsApi;
import aura.client.api.TasksApi;
import aura.client.model.AdHocTaskRequest;
import aura.client.model.CancelMode;
import aura.client.model.CancelRequest;
import aura.client.model.LogEntry;
import aura.client.model.Problem;
import aura.client.model.Run;
import aura.client.model.RunList;
import aura.client.model.RunStatus;
import aura.client.model.RunSummary;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a client does all day: run a task, wait for it, read its log, cancel one, page through runs.
 *
 * <p>{@code java Example http://127.0.0.1:18098}, with a token in AURA_TOKEN where the server asks for one.
 */
public final class Example {
  private final ApiClient client;
  private final TasksApi tasks;
  private final RunsApi runs;
  private final LogsApi logs;

  private Example(String url) {
    client = new ApiClient();
    client.updateBaseUri(url);
    String token = System.getenv("AURA_TOKEN");
    if (token != null) {
      client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
    }
    tasks = new TasksApi(client);
    runs = new RunsApi(client);
    logs = new LogsApi(client);
  }

  /** Run a task of the plan `hello`; its cid. */
  private String start(String taskName, Map<String, Object> inputs) throws ApiException {
    AdHocTaskRequest request =
        new AdHocTaskRequest().planName("hello").taskName(taskName).inputs(inputs);
    return tasks
        .runTask(TasksApi.APIRunTaskRequest.newBuilder().adHocTaskRequest(request).build())
        .getCid();
  }

  /** The run once it has finished: each call waits for up to 20 seconds, nothing polls. */
  private Run waitFor(String cid) throws ApiException {
    while (true) {
      Run run =
          runs.getRun(RunsApi.APIGetRunRequest.newBuilder().cid(cid).waitSec(20.0).build());
      if (run.getFinishedAt() != null) {
        return run;
      }
    }
  }

  /** Print what the run has said. */
  private void showLog(String cid) throws ApiException {
    LogsApi.APIListRunLogsRequest request =
        LogsApi.APIListRunLogsRequest.newBuilder().cid(cid).limit(100).build();
    for (LogEntry entry : logs.listRunLogs(request).getItems()) {
      System.out.println(
          entry.getTimestamp().toLocalTime() + " " + entry.getLevel() + " " + entry.getMessage());
    }
  }

  /** All runs of the plan, the newest first, in small pages. */
  private Set<String> cids() throws ApiException {
    Set<String> found = new HashSet<>();
    String cursor = null;
    do {
      RunList page =
          runs.listRuns(
              RunsApi.APIListRunsRequest.newBuilder()
                  .planName("hello")
                  .limit(2)
                  .cursor(cursor)
                  .build());
      for (RunSummary run : page.getItems()) {
        found.add(run.getCid());
      }
      cursor = page.getNextCursor();
    } while (cursor != null);
    return found;
  }

  private void all() throws ApiException {
    List<String> started = new ArrayList<>();
    for (String name : List.of("Ada", "Grace", "Barbara")) {
      started.add(start("greet", Map.of("name", name)));
    }
    for (String cid : started) {
      Run run = waitFor(cid);
      if (run.getStatus() != RunStatus.SUCCEEDED) {
        throw new IllegalStateException(cid + " has " + run.getStatus());
      }
      System.out.println(run.getTaskName() + ": " + run.getStatus() + " with " + run.getResult());
    }
    showLog(started.get(0));

    String slow = start("breakfast", Map.of("seconds", 60));
    started.add(slow);
    CancelRequest order = new CancelRequest().mode(CancelMode.GRACEFUL).reason("Only an example");
    tasks.cancelTask(
        TasksApi.APICancelTaskRequest.newBuilder().cid(slow).cancelRequest(order).build());
    System.out.println("breakfast: " + waitFor(slow).getStatus());

    if (!cids().containsAll(started)) {
      throw new IllegalStateException("a run is not listed");
    }
    System.out.println("all " + started.size() + " are among the listed");
  }

  public static void main(String[] arguments) throws Exception {
    Example example = new Example(arguments[0]);
    try {
      example.all();
    } catch (ApiException error) {
      Problem problem =
          example.client.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
      System.err.println(problem.getTitle() + ": " + problem.getDetail());
      System.exit(1);
    }
  }
}
